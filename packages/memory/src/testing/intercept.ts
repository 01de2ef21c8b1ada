type Method = (...values: readonly unknown[]) => unknown;

/** Called instead of a method; `proceed` makes the real call. */
export type Interceptor = (
  method: string,
  proceed: () => unknown,
  values: readonly unknown[],
) => unknown;

/**
 * The same object with the named methods led through `interceptor`. The target keeps its own `this`,
 * so private fields and calls of one method by another work, the latter unintercepted.
 */
export function intercept<T extends object>(
  target: T,
  methods: ReadonlySet<string>,
  interceptor: Interceptor,
): T {
  return new Proxy(target, {
    get: (_, property): unknown => {
      const member: unknown = Reflect.get(target, property, target);
      if (!isMethod(member)) return member;
      const call = (values: readonly unknown[]): unknown => Reflect.apply(member, target, values);
      if (typeof property !== "string" || !methods.has(property))
        return (...values: readonly unknown[]) => call(values);
      return (...values: readonly unknown[]) => interceptor(property, () => call(values), values);
    },
  });
}

function isMethod(member: unknown): member is Method {
  return typeof member === "function";
}
