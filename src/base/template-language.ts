/**
 * How Handlebars reads a template of ours: a field that the view does not have is an error, nothing is escaped, being YAML,
 * and there are no helpers but these, beside `if`, `unless`, `each`, `with` and `lookup`.
 */
function languageWith(...helpers: readonly string[]): CompileOptions {
  return {
    strict: true,
    noEscape: true,
    knownHelpersOnly: true,
    knownHelpers: Object.fromEntries(helpers.map((name) => [name, true])),
  };
}

/** Of templates that give an object of Kubernetes. */
export const objectLanguage = languageWith('toYaml', 'quote');

/** Of templates that give a part of a pod, a mesh's own among them. */
export const podLanguage = languageWith('toYaml', 'quote', 'eq');
