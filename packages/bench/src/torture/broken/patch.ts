/** Replaces a method of all objects of a class by one that may call the right one. */
export function patch<T extends object, N extends keyof T>(
  target: T,
  name: N,
  make: (right: T[N]) => T[N],
): void {
  target[name] = make(target[name]);
}
