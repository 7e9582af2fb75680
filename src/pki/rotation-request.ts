/** What a person may ask for. */
export const requestNames = ['root', 'intermediate', 'KeyCompromise', 'Recovery'] as const;
export type RequestName = (typeof requestNames)[number];

/** A request as annotation `meshoperator.dev/rotate` has it, or what is wrong with it. */
export type ParsedRequest =
  | { readonly name: RequestName; readonly problem?: undefined }
  | { readonly name?: undefined; readonly problem: string };

/** Reads `NAME` or `NAME/ANYTHING`; what follows the slash makes it another request. */
export function parseRequest(text: string): ParsedRequest {
  const [name = ''] = text.split('/', 1);
  const known = requestNames.find((candidate) => candidate === name);
  if (known !== undefined) return { name: known };
  const asked = JSON.stringify(name.slice(0, 64));
  return { problem: `${asked} is none of ${requestNames.join(', ')}; "/" and any text may follow` };
}
