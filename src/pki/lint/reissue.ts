import type { Bundle } from './bundle.ts';
import { type BundleCertificate, isSelfIssued } from './bundle-certificate.ts';
import { issuerOnPath, issuersByName } from './chain.ts';
import type { Finding } from './finding.ts';
import { shellQuote } from './shell-quote.ts';

/** How a certificate is made anew with the same name and the same key. */
export type Reissue = Required<Pick<Finding, 'fix' | 'commands'>>;

const day = 24 * 3_600_000;
const rootDays = 3650;
const intermediateDays = 730;

/** Proxies compare roots, not keys, and so does istiod when its bundle changes. */
const rootNote = 'Where a mesh trusts the old one already, it must trust both before the old one goes';

/** The files that openssl reads and writes; those that the bundle does not have are explained to the reader. */
interface ReissueFiles {
  readonly certificate: string;
  readonly key: string;
  readonly result: string;
  readonly issuer: string;
  readonly issuerKey: string;
}

/**
 * The commands that issue a certificate of an authority again, with the extensions that it needs: name and key stay, so
 * what it has signed still verifies. An intermediate does not outlive its issuer.
 */
export function reissue(bundle: Bundle, certificate: BundleCertificate, now: Date): Reissue {
  const isRoot = isSelfIssued(certificate);
  const issuer = isRoot ? certificate : issuerOf(bundle, certificate);
  const files = reissueFiles(bundle, certificate, issuer);
  const { commands, byHand } = putIntoPlace(bundle, certificate, files.result);
  const notes = [...explained(bundle, files, isRoot), ...byHand, ...(isRoot ? [rootNote] : [])].map(
    (note) => ` ${note}.`,
  );
  return {
    fix: `Issue it again with its own name and key and the extensions of an authority.${notes.join('')}`,
    commands: [
      extensionCommand(bundle, certificate),
      `openssl x509 -x509toreq -in ${shellQuote(files.certificate)} -signkey ${shellQuote(files.key)} -out ca.csr`,
      signCommand(files, isRoot, isRoot ? rootDaysFor(certificate, now) : daysWithin(issuer, now)),
      ...commands,
    ],
  };
}

/** The one that has signed it, or one that has its issuer's name. */
function issuerOf({ chain, certificates }: Bundle, certificate: BundleCertificate) {
  return issuerOnPath(chain, certificate) ?? issuersByName(certificate, certificates)[0];
}

function reissueFiles(
  bundle: Bundle,
  certificate: BundleCertificate,
  issuer: BundleCertificate | undefined,
): ReissueFiles {
  const alone = fileOfItsOwn(certificate);
  const isSigner = bundle.chain?.path[0] === certificate;
  const ownKey = isSelfIssued(certificate) ? 'root-key.pem' : 'key.pem';
  return {
    certificate: alone ?? firstOf(certificate) ?? 'old-cert.pem',
    key: isSigner && bundle.layout !== undefined ? bundle.layout.key : ownKey,
    result: alone ?? 'new-cert.pem',
    issuer: (issuer && firstOf(issuer)) ?? 'issuer-cert.pem',
    issuerKey: issuer !== undefined && isSelfIssued(issuer) ? 'root-key.pem' : 'issuer-key.pem',
  };
}

/** A sentence for each file that is not one of the bundle's. */
function explained(bundle: Bundle, files: ReissueFiles, isRoot: boolean): string[] {
  const meanings: readonly (readonly [string, string])[] = [
    [files.certificate, 'the certificate itself, alone'],
    [files.key, 'its private key'],
    ...(isRoot
      ? []
      : ([
          [files.issuer, 'the certificate of its issuer, alone'],
          [files.issuerKey, 'the private key of its issuer'],
        ] as const)),
  ];
  return meanings
    .filter(([name]) => !bundle.files.some((file) => file.name === name))
    .map(([name, meaning]) => `${name} is ${meaning}`);
}

function extensionCommand({ chain }: Bundle, certificate: BundleCertificate): string {
  const below = Math.max(0, chain?.path.indexOf(certificate) ?? 0);
  const isRoot = isSelfIssued(certificate);
  const lines = [
    `basicConstraints = critical, CA:TRUE${isRoot ? '' : `, pathlen:${below}`}`,
    'keyUsage = critical, keyCertSign, cRLSign',
    'subjectKeyIdentifier = hash',
    ...(isRoot ? [] : ['authorityKeyIdentifier = keyid']),
  ];
  return `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} > ca.ext`;
}

function signCommand(
  { key, result, issuer, issuerKey }: ReissueFiles,
  isRoot: boolean,
  days: number,
): string {
  const signer = isRoot ? `-signkey ${shellQuote(key)}` : `-CA ${shellQuote(issuer)} -CAkey ${issuerKey}`;
  const serial = '-set_serial 0x$(openssl rand -hex 16)';
  return `openssl x509 -req -in ca.csr ${signer} ${serial} -days ${days} -sha256 -extfile ca.ext -out ${shellQuote(result)}`;
}

/** Not fewer than it has: what it has signed counts on them. */
function rootDaysFor(root: BundleCertificate, now: Date): number {
  return Math.max(rootDays, Math.ceil(daysLeft(root, now)));
}

function daysWithin(issuer: BundleCertificate | undefined, now: Date): number {
  if (issuer === undefined) return intermediateDays;
  return Math.max(1, Math.min(intermediateDays, Math.floor(daysLeft(issuer, now))));
}

function daysLeft({ x509 }: BundleCertificate, now: Date): number {
  return (x509.validToDate.getTime() - now.getTime()) / day;
}

/** Every other file that has it: written anew from files of single certificates, or left to the reader. */
function putIntoPlace(bundle: Bundle, certificate: BundleCertificate, result: string) {
  const commands: string[] = [];
  const byHand: string[] = [];
  for (const { file, position } of certificate.places) {
    if (file === result) continue;
    const content = bundle.files.find(({ name }) => name === file)?.certificates ?? [];
    const sources = content.map(fileOfItsOwn);
    if (sources.every((source) => source !== undefined && source !== file)) {
      commands.push(
        `cat ${sources.map((source) => shellQuote(source ?? '')).join(' ')} > ${shellQuote(file)}`,
      );
    } else {
      byHand.push(`Then put ${result} in place of certificate #${position} of ${file}`);
    }
  }
  return { commands: [...new Set(commands)], byHand };
}

/** The first file that holds this certificate and no other one. */
function fileOfItsOwn({ places }: BundleCertificate): string | undefined {
  return places.find(({ count }) => count === 1)?.file;
}

/** A file that openssl reads this certificate of: it takes the first one. */
function firstOf({ places }: BundleCertificate): string | undefined {
  return places.find(({ position }) => position === 1)?.file;
}
