import Handlebars from 'handlebars';
import { load } from 'js-yaml';
import { templates as packed } from '../../generated/templates.ts';
import { type BuiltInTemplateName, templateProblem } from '../api/injection-templates.ts';
import { messageOf, TerminalError } from '../base/errors.ts';
import { flowYaml } from '../base/flow-yaml.ts';
import { isRecord } from '../base/stable-json.ts';

const folder = 'injection/';
const partialPrefix = `${folder}partials/`;
const maxFragmentLength = 1_048_576;

/** The part of a pod that a template contributes. */
export interface PodFragment {
  readonly metadata?: Record<string, unknown>;
  readonly spec?: Record<string, unknown>;
}

type Delegate = Handlebars.TemplateDelegate;

const compileOptions: CompileOptions = {
  strict: true,
  noEscape: true,
  knownHelpersOnly: true,
  knownHelpers: { toYaml: true, quote: true, eq: true },
};

const builtIn = createBuiltInEngine();

/** Compiled templates of each mesh; they go when the mesh's settings go. */
const customTemplates = new WeakMap<object, Map<string, Delegate>>();

/**
 * Renders one template over its view. A custom template wins over a built-in one of the same name.
 * Throws TerminalError with reason `InvalidTemplate` when a custom template is not one, prints a field that its view
 * does not have, or does not give a part of a pod.
 */
export function renderFragment(
  name: string,
  custom: Readonly<Record<string, string>>,
  view: object,
): PodFragment {
  if (!Object.hasOwn(custom, name)) return fragmentOf(builtIn(name as BuiltInTemplateName)(view), name);
  try {
    return fragmentOf(compiledCustom(name, custom)(view), name);
  } catch (error) {
    throw new TerminalError(`Template ${name} of the mesh cannot be rendered: ${messageOf(error)}`, {
      reason: 'InvalidTemplate',
      cause: error,
    });
  }
}

function fragmentOf(text: string, name: string): PodFragment {
  if (text.length > maxFragmentLength) throw new Error(`it prints more than ${maxFragmentLength} characters`);
  const fragment: unknown = load(text) ?? {};
  if (!isRecord(fragment)) throw new Error(`template ${name} must print an object with metadata and spec`);
  const stray = Object.keys(fragment).find((key) => key !== 'metadata' && key !== 'spec');
  if (stray !== undefined) throw new Error(`template ${name} prints ${stray}: only metadata and spec count`);
  for (const key of ['metadata', 'spec'] as const) {
    if (fragment[key] !== undefined && fragment[key] !== null && !isRecord(fragment[key])) {
      throw new Error(`template ${name} prints ${key} that is not an object`);
    }
  }
  return fragment as PodFragment;
}

function compiledCustom(name: string, custom: Readonly<Record<string, string>>): Delegate {
  const compiled = customTemplates.get(custom) ?? new Map<string, Delegate>();
  customTemplates.set(custom, compiled);
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const text = custom[name] ?? '';
  const problem = templateProblem(text);
  if (problem !== undefined) throw new Error(problem);
  const template = createEngine().compile(text, compileOptions);
  compiled.set(name, template);
  return template;
}

function createEngine(): typeof Handlebars {
  const handlebars = Handlebars.create();
  handlebars.registerHelper({
    toYaml: flowYaml,
    quote: (...parts: unknown[]) => flowYaml(parts.slice(0, -1).map(textOf).join('')),
    eq: (left: unknown, right: unknown) => left === right,
  });
  return handlebars;
}

function textOf(value: unknown): string {
  if (value === undefined) throw new Error('A template names a value that its view does not have');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Handlebars compiles a template when it is first used, so making the engine costs next to nothing. */
function createBuiltInEngine(): (name: BuiltInTemplateName) => Delegate {
  const handlebars = createEngine();
  const compiled = new Map<string, Delegate>();
  for (const [path, text] of Object.entries(packed)) {
    if (!path.startsWith(folder)) continue;
    const template = handlebars.compile(text, compileOptions);
    if (path.startsWith(partialPrefix))
      handlebars.registerPartial(path.slice(partialPrefix.length), template);
    else compiled.set(path.slice(folder.length), template);
  }
  return (name) => {
    const template = compiled.get(name);
    if (template === undefined) throw new Error(`There is no template templates/${folder}${name}.yaml.hbs`);
    return template;
  };
}
