import { type BundleFile, maxCertificates, maxFileLength } from '../bundle.ts';
import type { Finding } from '../finding.ts';
import { filesOf, type Layout } from '../layout.ts';
import type { BundleRule } from '../rule.ts';
import { shellQuote } from '../shell-quote.ts';
import { isPrivateKeyLabel, type SigningKey, signingKeyOf } from '../signing-key.ts';

/** Every file is there, is PEM throughout, and holds what belongs in it. */
export const fileFindings: BundleRule = ({ files, layout }) =>
  files.flatMap((file) => {
    const { name, text } = file;
    if (text === undefined) return missingFile(name, layout);
    if (file.isTooLarge) return tooLarge(name);
    return [
      ...unreadable(file),
      ...(name === layout?.key ? keyFile(file, layout) : certificateFile(file, layout)),
      ...(name === 'tls.crt' && layout !== undefined && !text.endsWith('\n') ? missingLineBreak(name) : []),
    ];
  });

/** istiod does not start with a part of a bundle (`checkCABundleCompleteness`). */
function missingFile(name: string, layout: Layout | undefined): Finding[] {
  const others = layout === undefined ? [] : filesOf(layout).filter((other) => other !== name);
  return [
    {
      ...{ severity: 'error', rule: 'MissingFile', where: name },
      problem: `There is no ${name} beside ${others.join(', ')}: istiod does not start with an incomplete bundle`,
      fix: `Add ${name}.`,
    },
  ];
}

function tooLarge(where: string): Finding[] {
  return [
    {
      ...{ severity: 'error', rule: 'TooLarge', where },
      problem: `It is longer than ${maxFileLength} characters, which no Secret holds, or has more than ${maxCertificates} certificates`,
      fix: 'Leave in it what the mesh needs: the chain of one authority, or the roots that are trusted.',
    },
  ];
}

function unreadable({ name, problems }: BundleFile): Finding[] {
  if (problems.length === 0) return [];
  const shown = problems.slice(0, 5).join('; ');
  const more = problems.length > 5 ? `; and ${problems.length - 5} more` : '';
  return [
    {
      ...{ severity: 'error', rule: 'Unreadable', where: name },
      problem: `A part of it is left out by whoever reads it: ${shown}${more}`,
      fix: 'Write the file again from whole PEM texts. Each BEGIN and each END is a line of its own, without a space before it, and a file ends in a line break before another is added to it.',
    },
  ];
}

function keyFile(file: BundleFile, { key: where, signer }: Layout): Finding[] {
  const key = signingKeyOf(file);
  const misplaced: Finding[] =
    file.certificates.length === 0
      ? []
      : [
          {
            ...{ severity: 'error', rule: 'MisplacedBlock', where },
            problem: 'It holds a certificate, where only the private key belongs',
            fix: `Leave only the private key of ${signer} in it.`,
          },
        ];
  return [...misplaced, ...(key === undefined ? [noKey(where)] : unreadableKey(where, key))];
}

function noKey(where: string): Finding {
  return {
    ...{ severity: 'error', rule: 'UnreadableKey', where, problem: 'The key file holds no private key' },
    fix: 'Put the private key of the certificate that signs in it, in PEM and without a passphrase.',
  };
}

function unreadableKey(where: string, key: SigningKey): Finding[] {
  if ('keys' in key) return [];
  return [
    {
      ...{ severity: 'error', rule: 'UnreadableKey', where, problem: `The key file ${key.problem}` },
      fix: 'Write the key as PKCS #8 without a passphrase; openssl asks for the one that it has.',
      commands: [
        `openssl pkcs8 -topk8 -nocrypt -in ${shellQuote(where)} -out new-key.pem`,
        `mv new-key.pem ${shellQuote(where)}`,
      ],
    },
  ];
}

/** What is in these files is handed to every proxy, and to every namespace. */
function certificateFile(file: BundleFile, layout: Layout | undefined): Finding[] {
  const { name: where, blocks, certificates, problems } = file;
  const keys = blocks.filter(({ label }) => isPrivateKeyLabel(label));
  const loneKey = layout === undefined && certificates.length === 0 ? signingKeyOf(file) : undefined;
  if (loneKey !== undefined && keys.length > 0) return unreadableKey(where, loneKey);
  const findings: Finding[] = [];
  if (keys.length > 0) {
    findings.push({
      ...{ severity: 'error', rule: 'MisplacedPrivateKey', where },
      problem:
        'It holds a private key, where only certificates belong: such files are handed to every proxy and written into every namespace',
      fix: 'Take the key out. Whoever could read the file has it: where the file has been in a cluster or in git, make a new authority.',
    });
  }
  if (blocks.length > keys.length) {
    findings.push({
      ...{ severity: 'warning', rule: 'MisplacedBlock', where },
      problem: 'It holds blocks that are neither CERTIFICATE nor a key; Istio leaves them out',
      fix: 'Take them out, or write what is in them as CERTIFICATE (openssl x509 -in FILE -out FILE does it for TRUSTED CERTIFICATE and X509 CERTIFICATE).',
    });
  }
  if (certificates.length === 0 && problems.length === 0) {
    findings.push({
      ...{ severity: 'error', rule: 'Unreadable', where },
      problem: 'It holds no certificate',
      fix: 'Put certificates in PEM in it: texts between -----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----.',
    });
  }
  return findings;
}

/** istiod makes the chain of such a Secret by writing `ca.crt` straight behind `tls.crt`. */
function missingLineBreak(where: string): Finding[] {
  return [
    {
      ...{ severity: 'error', rule: 'MissingLineBreak', where },
      problem:
        'It does not end in a line break: istiod writes ca.crt straight behind it, and the last certificate is lost to every proxy',
      fix: 'End the file in a line break.',
      commands: [`echo >> ${shellQuote(where)}`],
    },
  ];
}
