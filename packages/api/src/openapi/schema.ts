/** The part of OpenAPI 3.1 that our document uses. */
export type SchemaObject = { readonly [name: string]: unknown };

export interface ParameterObject {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly description: string;
  readonly schema: SchemaObject;
}

export interface MediaObject {
  readonly schema: SchemaObject;
  readonly example?: unknown;
}

export interface ResponseObject {
  readonly description: string;
  readonly headers?: { readonly [name: string]: unknown };
  readonly content?: { readonly [type: string]: MediaObject };
}

export interface OperationObject {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly ParameterObject[];
  readonly requestBody?: {
    readonly required: true;
    readonly content: { readonly [type: string]: MediaObject };
  };
  readonly responses: { readonly [status: string]: ResponseObject | { readonly $ref: string } };
}

/** A schema of `components.ts` by its name. */
export function ref(name: string): SchemaObject {
  return { $ref: `#/components/schemas/${name}` };
}

export function jsonResponse(description: string, schema: SchemaObject): ResponseObject {
  return { description, content: { "application/json": { schema } } };
}

export function jsonBody(
  name: string,
  example?: unknown,
): Required<Pick<OperationObject, "requestBody">> {
  const media = { schema: ref(name), ...(example === undefined ? {} : { example }) };
  return { requestBody: { required: true, content: { "application/json": media } } };
}

export function query(name: string, description: string, schema: SchemaObject): ParameterObject {
  return { name, in: "query", description, schema };
}

export function header(name: string, description: string, schema?: SchemaObject): ParameterObject {
  return { name, in: "header", description, schema: schema ?? { type: "string" } };
}
