import { z } from 'zod';
import { stableJson } from '../base/stable-json.ts';
import { isCertificate, splitCertificates } from './certificate-facts.ts';
import { readTrustedRoots } from './trusted-roots.ts';

/**
 * What a cluster says of its trust to the other clusters of its mesh. Roots are exchanged by it, keys stay (ADR 18).
 * Fingerprints are those of `factsOf`.
 */
export interface TrustStatement {
  readonly clusterName: string;
  readonly meshID: string;
  /** Names of the clusters whose roots are taken here. */
  readonly members: readonly string[];
  /** The roots of this cluster that every member must trust, one PEM certificate each; none of a cluster that has no authority. */
  readonly roots: readonly string[];
  /** Names the bundle that istiod has now (`bundleVersion`). */
  readonly version: string;
  /** Roots that every replica, bundle and proxy here was seen to hold. */
  readonly trusted: readonly string[];
  /** Roots that anybody here may still hold. */
  readonly held: readonly string[];
  /** Intermediates that proxies here may carry certificates of. */
  readonly signers: readonly string[];
  /** For a cluster that follows the istiod of another one: the version there that this statement speaks of. */
  readonly answers?: string;
  /** Whether it replaces a key that others know: whoever takes its roots lets them come and go without a soak. */
  readonly isCompromised?: boolean;
}

/** A statement, or why it must not be gone by; the latter quotes nothing of it but names. */
export type TrustStatementReading =
  | { readonly statement: TrustStatement; readonly problem?: undefined }
  | { readonly statement?: undefined; readonly problem: string };

/** Whose statement it should be. */
export interface ExpectedSpeaker {
  readonly clusterName: string;
  readonly meshID: string;
}

/** The text of a statement: equal statements are equal texts. */
export function trustStatementText(statement: TrustStatement): string {
  const { members, roots, trusted, held, signers } = statement;
  return stableJson({
    ...statement,
    ...{ members: members.toSorted(), roots: roots.map(wholeCertificate) },
    ...{ trusted: trusted.toSorted(), held: held.toSorted(), signers: signers.toSorted() },
  });
}

/** A root comes, another goes, and both may be between two texts: more is none of ours. */
const maxRoots = 8;
const maxFingerprints = 1_000;
const maxTextLength = 256 * 1024;

const nameSchema = z.string().min(1).max(63);
const fingerprintsSchema = z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(maxFingerprints);
/** What a later version of the operator says besides is left out. */
const statementSchema = z.object({
  ...{ clusterName: nameSchema, meshID: nameSchema, members: z.array(nameSchema).max(maxFingerprints) },
  roots: z.array(z.string()).max(maxRoots),
  ...{ version: z.string().max(63), answers: z.string().max(63).optional() },
  isCompromised: z.boolean().optional(),
  ...{ trusted: fingerprintsSchema, held: fingerprintsSchema, signers: fingerprintsSchema },
});

/** Reads what another operator has written: somebody else's text, so whatever is wrong with it is a problem. */
export function readTrustStatement(
  text: string,
  { clusterName, meshID }: ExpectedSpeaker,
  now: Date,
): TrustStatementReading {
  const parsed = statementSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const where = parsed.error.issues[0]?.path.join('.') ?? '';
    return { problem: where === '' ? 'it is no statement' : `${where} is not as it should be` };
  }
  const { answers, isCompromised, ...said } = parsed.data;
  if (said.meshID !== meshID) return { problem: `it is of mesh ${JSON.stringify(said.meshID)}` };
  if (said.clusterName !== clusterName)
    return { problem: `it is of cluster ${JSON.stringify(said.clusterName)}` };
  const roots = said.roots.flatMap(splitCertificates);
  if (roots.length !== said.roots.length) return { problem: 'roots does not hold one certificate each' };
  const { problem } = roots.length === 0 ? {} : readTrustedRoots('roots', roots.join(''), now);
  if (problem !== undefined) return { problem };
  return {
    statement: {
      ...{ ...said, roots },
      ...(answers === undefined ? {} : { answers }),
      ...(isCompromised === undefined ? {} : { isCompromised }),
    },
  };
}

/** The roots that a statement asks to be trusted, the one that signs first, whoever says it; none of a text that is no statement. */
export function statedRoots(text: string): string[] {
  const parsed = statementSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data.roots.flatMap(splitCertificates).filter(isCertificate) : [];
}

/** What is too long is not parsed. */
function parseJson(text: string): unknown {
  if (text.length > maxTextLength) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function wholeCertificate(pem: string): string {
  return splitCertificates(pem).join('');
}
