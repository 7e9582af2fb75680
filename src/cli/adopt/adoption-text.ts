import { lossText, meshText } from '../convert.ts';
import { fieldLines } from '../diff-text.ts';
import type { Paint, Style } from '../paint.ts';
import type { AdoptionPlan, ObjectAdoption } from './plan-adoption.ts';

const headings: readonly (readonly [
  title: string,
  mark: string,
  style: Style,
  is: (object: ObjectAdoption) => boolean,
])[] = [
  ['Refused', '!', 'bad', ({ action }) => action === 'refuse'],
  ['Taken over with changes', '~', 'doubtful', (object) => object.action === 'take' && isChanged(object)],
  ['Taken over as they are', '=', 'good', (object) => object.action === 'take' && !isChanged(object)],
  ['Kept until their pods are made anew', '.', 'faint', ({ action }) => action === 'keep'],
  ['New', '+', 'good', ({ action }) => action === 'create'],
];

/** What an adoption would do, for a person. */
export function adoptionText(plan: AdoptionPlan, paint: Paint): string {
  const { namespace, name, revision, installer, releases, losses, refusals, steps, notes, objects } = plan;
  const lines = [
    paint('heading', `Istio in ${namespace}, revision ${revision}, installed by ${installer}`),
    ...releases.map((release) => `  ${release}`),
    '',
    paint('heading', `MeshOperator ${namespace}/${name}`),
    ...meshText(plan.mesh)
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line}`),
    ...section(
      'Settings that it does not have',
      losses.map((loss) => `  ! ${lossText(loss)}`),
      paint,
    ),
    ...headings.flatMap(([title, mark, style, is]) =>
      section(
        title,
        objects
          .filter(is)
          .flatMap((object) => [
            `  ${paint(style, `${mark} ${object.object}`)}${remark(object)}`,
            ...(object.fields ?? []).flatMap((field) => fieldLines(field, paint)),
          ]),
        paint,
      ),
    ),
    ...section(
      'In the way',
      refusals.map((refusal) => `  ! ${refusal}`),
      paint,
    ),
    ...section(
      'First, in this order',
      steps.map((step, index) => `  ${index + 1}. ${step}`),
      paint,
    ),
    ...section(
      'Afterwards',
      notes.map((note) => `  ${note}`),
      paint,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function section(title: string, lines: readonly string[], paint: Paint): string[] {
  return lines.length === 0 ? [] : ['', paint('heading', title), ...lines];
}

function isChanged({ fields = [] }: ObjectAdoption): boolean {
  return fields.length > 0;
}

function remark({ why, keepsTemplate }: ObjectAdoption): string {
  if (why !== undefined) return `: ${why}`;
  return keepsTemplate === true ? ': its pods stay, with the pod template that they have' : '';
}
