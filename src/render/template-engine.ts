import Handlebars from 'handlebars';
import { load } from 'js-yaml';
import { type TemplatePath, templates } from '../../generated/templates.ts';
import type { KubernetesObject } from '../api/kubernetes-object.ts';
import { flowYaml } from '../base/flow-yaml.ts';
import { isRecord } from '../base/stable-json.ts';

const partialPrefix = 'partials/';

/** The value as a YAML string, whatever it looks like: `true`, `8080` and `1e3` stay text. */
function quote(value: unknown): string {
  return flowYaml(value === undefined ? undefined : String(value));
}

const engine = createEngine();

/**
 * Renders one template over its view to one object.
 * Throws when the template prints a field that the view does not have, and when the text is not one Kubernetes
 * object: both are bugs of ours. A field that is only asked for with `if` may be undefined.
 */
export function renderObject(path: TemplatePath, view: object): KubernetesObject {
  const text = engine(path)(view);
  const object: unknown = load(text, { filename: `templates/${path}.yaml.hbs` });
  if (!isKubernetesObject(object)) {
    throw new Error(`Template templates/${path}.yaml.hbs does not give one Kubernetes object`);
  }
  return object;
}

function isKubernetesObject(value: unknown): value is KubernetesObject {
  return (
    isRecord(value) &&
    typeof value.apiVersion === 'string' &&
    typeof value.kind === 'string' &&
    isRecord(value.metadata) &&
    typeof value.metadata.name === 'string'
  );
}

function createEngine(): (path: TemplatePath) => Handlebars.TemplateDelegate {
  const handlebars = Handlebars.create();
  handlebars.registerHelper({ toYaml: flowYaml, quote });
  const known = new Map<string, Handlebars.TemplateDelegate>();
  for (const [path, precompiled] of Object.entries(templates)) {
    const template = handlebars.template(precompiled);
    if (path.startsWith(partialPrefix))
      handlebars.registerPartial(path.slice(partialPrefix.length), template);
    else known.set(path, template);
  }
  return (path) => {
    const template = known.get(path);
    if (template === undefined) throw new Error(`There is no template templates/${path}.yaml.hbs`);
    return template;
  };
}
