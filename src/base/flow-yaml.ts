import { stableJson } from './stable-json.ts';

/**
 * The value as flow-style YAML on one line, with sorted keys. JSON is YAML, so no text of a user can break out
 * of its place and no indentation has to be counted; characters that YAML does not print are escaped.
 */
export function flowYaml(value: unknown): string {
  // Strict mode of the template engine does not look at the arguments of helpers.
  if (value === undefined) throw new Error('A template names a value that its view does not have');
  return stableJson(value).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
