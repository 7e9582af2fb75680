import Handlebars from 'handlebars';
import { load } from 'js-yaml';
import { templates as packed } from '../../generated/templates.ts';
import { type BuiltInTemplateName, templateProblem } from '../api/injection-templates.ts';
import { messageOf, TerminalError } from '../base/errors.ts';
import { setOwn } from '../base/set-own.ts';
import { isRecord } from '../base/stable-json.ts';
import { podLanguage } from '../base/template-language.ts';

const folder = 'injection/';
const partialPrefix = `${folder}partials/`;
const maxTextLength = 1_048_576;
/** Texts of one template that differ only by which of its blocks are printed; more than any template has in use. */
const maxSkeletons = 128;

/** The part of a pod that a template contributes. */
export interface PodFragment {
  readonly metadata?: Record<string, unknown>;
  readonly spec?: Record<string, unknown>;
}

/** A compiled template, with what its texts mean: values are not in them, so few texts recur all the time. */
interface CompiledTemplate {
  readonly template: Handlebars.TemplateDelegate;
  readonly skeletons: Map<string, PodFragment>;
}

/** Stands in the text for the value of that number; private-use characters, which no template may contain. */
const placeholder = (index: number) => `\ue000${index}\ue001`;
const placeholderPattern = /^\ue000([0-9]+)\ue001$/;

const builtIn = createBuiltInEngine();

/** Compiled templates of each mesh; they go when the mesh's settings go. */
const customTemplates = new WeakMap<object, Map<string, CompiledTemplate>>();

/**
 * Renders one template over its view. A custom template wins over a built-in one of the same name. Values are put in
 * after the text has been read as YAML, so that none of them can become structure; the result shares them with the
 * view. Throws TerminalError with reason `InvalidTemplate` when a custom template is not one, prints a field that its
 * view does not have, or does not give a part of a pod.
 */
export function renderFragment(
  name: string,
  custom: Readonly<Record<string, string>>,
  view: object,
): PodFragment {
  if (!Object.hasOwn(custom, name)) return render(builtIn(name as BuiltInTemplateName), name, view);
  try {
    return render(compiledCustom(name, custom), name, view);
  } catch (error) {
    throw new TerminalError(`Template ${name} of the mesh cannot be rendered: ${messageOf(error)}`, {
      reason: 'InvalidTemplate',
      cause: error,
    });
  }
}

function render({ template, skeletons }: CompiledTemplate, name: string, view: object): PodFragment {
  const values: unknown[] = [];
  const text = template(view, { data: { values } });
  let skeleton = skeletons.get(text);
  if (skeleton === undefined) {
    skeleton = skeletonOf(text, name);
    if (skeletons.size >= maxSkeletons) skeletons.clear();
    skeletons.set(text, skeleton);
  }
  return filled(skeleton, values) as PodFragment;
}

function skeletonOf(text: string, name: string): PodFragment {
  if (text.length > maxTextLength) throw new Error(`it prints more than ${maxTextLength} characters`);
  const skeleton: unknown = load(text) ?? {};
  if (!isRecord(skeleton)) throw new Error(`template ${name} must print an object with metadata and spec`);
  const stray = Object.keys(skeleton).find((key) => key !== 'metadata' && key !== 'spec');
  if (stray !== undefined) throw new Error(`template ${name} prints ${stray}: only metadata and spec count`);
  // Strings cut from a text with placeholders have two bytes a character, which makes every answer slow to print.
  return JSON.parse(JSON.stringify(skeleton)) as PodFragment;
}

/** A copy with each placeholder, as a value or as a key, replaced by its value. */
function filled(skeleton: unknown, values: readonly unknown[]): unknown {
  if (typeof skeleton === 'string') return placed(skeleton, values);
  if (Array.isArray(skeleton)) return skeleton.map((item) => filled(item, values));
  if (!isRecord(skeleton)) return skeleton;
  const record: Record<string, unknown> = {};
  for (const key of Object.keys(skeleton)) {
    setOwn(record, String(placed(key, values)), filled(skeleton[key], values));
  }
  return record;
}

function placed(text: string, values: readonly unknown[]): unknown {
  if (!text.includes('\ue000')) return text;
  const index = placeholderPattern.exec(text)?.[1];
  if (index !== undefined) return values[Number(index)];
  throw new Error('a value is printed in the middle of a text: use {{quote "a text " value}} for the whole');
}

function compiledCustom(name: string, custom: Readonly<Record<string, string>>): CompiledTemplate {
  const compiled = customTemplates.get(custom) ?? new Map<string, CompiledTemplate>();
  customTemplates.set(custom, compiled);
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const text = custom[name] ?? '';
  const problem = templateProblem(text);
  if (problem !== undefined) throw new Error(problem);
  const template = { template: createEngine().compile(text, podLanguage), skeletons: new Map() };
  compiled.set(name, template);
  return template;
}

interface HelperOptions {
  readonly data: { readonly values: unknown[] };
}

function createEngine(): typeof Handlebars {
  const handlebars = Handlebars.create();
  handlebars.registerHelper({
    toYaml: (value: unknown, options: HelperOptions) => printed(value, options),
    quote: (...parts: unknown[]) => {
      const options = parts.pop() as HelperOptions;
      return printed(parts.map(textOf).join(''), options);
    },
    eq: (left: unknown, right: unknown) => left === right,
  });
  return handlebars;
}

function printed(value: unknown, { data }: HelperOptions): string {
  // Strict mode does not look at the arguments of helpers.
  if (value === undefined) throw new Error('it names a value that its view does not have');
  data.values.push(value);
  return `"${placeholder(data.values.length - 1)}"`;
}

function textOf(value: unknown): string {
  if (value === undefined) throw new Error('it names a value that its view does not have');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function createBuiltInEngine(): (name: BuiltInTemplateName) => CompiledTemplate {
  const handlebars = createEngine();
  const compiled = new Map<string, CompiledTemplate>();
  for (const [path, precompiled] of Object.entries(packed)) {
    if (!path.startsWith(folder)) continue;
    const template = handlebars.template(precompiled);
    if (path.startsWith(partialPrefix))
      handlebars.registerPartial(path.slice(partialPrefix.length), template);
    else compiled.set(path.slice(folder.length), { template, skeletons: new Map() });
  }
  return (name) => {
    const template = compiled.get(name);
    if (template === undefined) throw new Error(`There is no template templates/${folder}${name}.yaml.hbs`);
    return template;
  };
}
