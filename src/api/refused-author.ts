import { canIText, type Right, rightsText } from './right.ts';
import type { UserInfo } from './user-info.ts';

/** What a person reads when the author of a spec may not do what it asks for. `missing` is not empty. */
export function refusedAuthorText({ username }: UserInfo, missing: readonly Right[]): string {
  const [first] = missing;
  const hint = first === undefined ? '' : `; as this user, try: ${canIText(first)}`;
  return `user ${JSON.stringify(username)} may not do what this mesh needs: ${rightsText(missing)}${hint}`;
}
