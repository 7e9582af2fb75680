/** Sets a key of an object; a key named __proto__ is defined rather than assigned, which is slow, so that it stays a key. */
export function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}
