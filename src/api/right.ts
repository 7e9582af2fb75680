/** Something that one may be allowed to do, as a SubjectAccessReview asks for it. */
export interface Right {
  readonly verb: string;
  /** Empty for the core group. */
  readonly group: string;
  /** Plural: `deployments`. */
  readonly resource: string;
  readonly subresource?: string;
  /** Absent for what belongs to the whole cluster. */
  readonly namespace?: string;
  /** Absent for all of a kind. */
  readonly name?: string;
}

/** What is said of rights at most, so that it can be read. */
const maxLines = 5;

/** `create, patch, delete deployments.apps in namespace web`, one place after the other, at most five of them. */
export function rightsText(rights: readonly Right[]): string {
  const verbsByPlace = new Map<string, string[]>();
  for (const right of rights) {
    const place = placeText(right);
    verbsByPlace.set(place, [...(verbsByPlace.get(place) ?? []), right.verb]);
  }
  const lines = [...verbsByPlace].map(([place, verbs]) => `${verbs.join(', ')} ${place}`);
  const more = lines.length > maxLines ? [`${lines.length - maxLines} more`] : [];
  return [...lines.slice(0, maxLines), ...more].join('; ');
}

/** The command by which one sees whether one has a right. */
export function canIText({ verb, group, resource, subresource, namespace, name }: Right): string {
  const kind = group === '' ? resource : `${resource}.${group}`;
  return [
    `kubectl auth can-i ${verb} ${kind}${name === undefined ? '' : `/${name}`}`,
    ...(subresource === undefined ? [] : [`--subresource ${subresource}`]),
    ...(namespace === undefined ? [] : [`--namespace ${namespace}`]),
  ].join(' ');
}

function placeText({ group, resource, subresource, namespace, name }: Right): string {
  const kind = `${resource}${subresource === undefined ? '' : `/${subresource}`}${group === '' ? '' : `.${group}`}`;
  const what = name === undefined ? kind : `${kind} ${name}`;
  return namespace === undefined ? `${what} in the cluster` : `${what} in namespace ${namespace}`;
}
