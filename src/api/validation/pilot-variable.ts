import type { SpecView } from './spec-view.ts';

/** Where a spec sets a variable of istiod, and to what; undefined for one that is no literal. */
export function pilotVariable(
  { spec }: SpecView,
  name: string,
): { readonly path: string; readonly value: string | undefined }[] {
  const listed = (spec.components?.pilot?.k8s?.env ?? []).flatMap((variable, index) =>
    variable?.name === name
      ? [{ path: `spec.components.pilot.k8s.env[${index}].value`, value: variable.value }]
      : [],
  );
  const value = spec.values?.pilot?.env?.[name];
  return [...listed, ...(value === undefined ? [] : [{ path: `spec.values.pilot.env.${name}`, value }])];
}
