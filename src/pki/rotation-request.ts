/** What a person may ask for. */
export const requestNames = ['root', 'intermediate', 'KeyCompromise', 'Recovery'] as const;
export type RequestName = (typeof requestNames)[number];

/** What the value of annotation `meshoperator.dev/rotate` asks for, or what is wrong with it. */
export type ParsedRequest =
  | { readonly name: RequestName; readonly problem?: undefined }
  | { readonly name?: undefined; readonly problem: string };

/** Reads `NAME` or `NAME/ANYTHING`: what follows the slash makes it another request. */
export function parseRequest(text: string): ParsedRequest {
  const [asked = ''] = text.split('/', 1);
  const name = requestNames.find((known) => known === asked);
  if (name !== undefined) return { name };
  const quoted = JSON.stringify(asked.length > 64 ? `${asked.slice(0, 64)}...` : asked);
  return {
    problem: `${quoted} is no request to rotate; ask for ${requestNames.join(', ')}, and to ask again append "/" and any text`,
  };
}

/** What is asked for and has not been answered yet; undefined as well when the text asks for nothing we know. */
export function openRequest(
  { answeredRequest }: { readonly answeredRequest?: string },
  text: string | undefined,
): RequestName | undefined {
  return text === undefined || text === answeredRequest ? undefined : parseRequest(text).name;
}
