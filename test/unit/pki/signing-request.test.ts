import { describe, expect, test } from 'vitest';
import { keyAlgorithms } from '../../../src/api/key-algorithms.ts';
import { generateKeyPair, privateKeyPem } from '../../../src/pki/key-pair.ts';
import { parseCertificate } from '../../../src/pki/parsed-certificate.ts';
import { buildSigningRequest } from '../../../src/pki/signing-request.ts';
import { run } from '../../cluster/toolchain/run-command.ts';
import { anAuthority } from '../../support/authorities.ts';
import { openssl } from '../../support/openssl.ts';

const authority = {
  commonName: 'Intermediate CA 0badcafe',
  organization: 'cluster.local',
  extensions: [
    { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
  ],
};

describe('buildSigningRequest', () => {
  test.each(keyAlgorithms)('makes a request of %s that openssl verifies and reads', async (algorithm) => {
    const keys = await generateKeyPair(algorithm);

    const files = { 'ca.csr': buildSigningRequest(authority, keys), 'ca.key': privateKeyPem(keys) };

    expect(await verified(files['ca.csr'])).toContain('verify OK');
    const text = await openssl(files, 'req', '-in', 'ca.csr', '-noout', '-text');
    expect(text).toContain('Version: 1 (0x0)');
    expect(text).toContain('Subject: O = cluster.local, CN = Intermediate CA 0badcafe');
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Certificate Sign, CRL Sign/);
    const ofRequest = await openssl(files, 'req', '-in', 'ca.csr', '-noout', '-pubkey');
    expect(ofRequest).toBe(await openssl(files, 'pkey', '-in', 'ca.key', '-pubout'));
  });

  test('makes one that a real authority signs as it asks', async () => {
    const keys = await generateKeyPair('RSA-2048');
    const { root } = await anAuthority();
    const files = {
      'ca.csr': buildSigningRequest(authority, keys),
      'root.crt': root.certPem,
      'root.key': root.keyPem ?? '',
    };

    const signing = ['-CA', 'root.crt', '-CAkey', 'root.key', '-copy_extensions', 'copy', '-days', '7'];
    const pem = await openssl(files, 'x509', '-req', '-in', 'ca.csr', '-set_serial', '7', ...signing);

    const { x509, basicConstraints, keyUsage } = parseCertificate(pem);
    expect(x509.checkPrivateKey(keys.privateKey)).toBe(true);
    expect(basicConstraints).toEqual({ authority: true, pathLength: 0 });
    expect([...(keyUsage ?? [])]).toEqual(['keyCertSign', 'cRLSign']);
  });

  test('makes one whose signature breaks with any change', async () => {
    const keys = await generateKeyPair('ECDSA-P256');
    const whole = buildSigningRequest(authority, keys);
    const changed = pemWith(whole, Buffer.from('0badcafe'), Buffer.from('0badcaff'));

    expect(await verified(changed)).not.toContain('verify OK');
  });

  test('holds no private key', async () => {
    const keys = await generateKeyPair('ECDSA-P256');
    const { d = '' } = keys.privateKey.export({ format: 'jwk' });

    const der = derOf(buildSigningRequest(authority, keys));

    expect(der.includes(Buffer.from(d, 'base64url'))).toBe(false);
  });
});

/** What `openssl req -verify` says of the signature; up to 3.0 its exit code does not say it. */
function verified(pem: string): Promise<string> {
  return run('sh', ['-c', 'openssl req -verify -noout 2>&1 || true'], { input: pem });
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
}

function pemWith(pem: string, from: Buffer, to: Buffer): string {
  const der = derOf(pem);
  const at = der.indexOf(from);
  if (at < 0) throw new Error('the request does not hold what should be changed');
  to.copy(der, at);
  const label = 'CERTIFICATE REQUEST';
  return `-----BEGIN ${label}-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`;
}
