import { randomBytes, X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { generateKeyPair } from '../../../src/pki/key-pair.ts';
import {
  type IssuedServingCertificate,
  issueServingCertificate,
  servingAuthorityName,
} from '../../../src/pki/serving-certificate.ts';
import { openssl } from '../../support/openssl.ts';

const host = 'sidecar-injector.istio-system.svc';
const hour = 3_600_000;

async function issue(now = new Date(), lifetimeMs = hour): Promise<IssuedServingCertificate> {
  const [authority, server] = await Promise.all([generateKeyPair('RSA-2048'), generateKeyPair('RSA-2048')]);
  return issueServingCertificate({
    ...{ dnsNames: [host, `${host}.cluster.local`], now, lifetimeMs },
    ...{ keys: { authority, server }, random: randomBytes(32) },
  });
}

describe('issueServingCertificate', () => {
  let server: Server | undefined;

  afterEach(() => {
    server?.close();
  });

  it('gives a certificate that openssl verifies for each of its names, and for no other', async () => {
    const { certPem, caPem } = await issue();
    const verify = (name: string) =>
      openssl(
        { 'ca.crt': caPem, 'tls.crt': certPem },
        ...['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', name],
        ...['-CAfile', 'ca.crt', 'tls.crt'],
      );

    expect(await verify(host)).toContain('OK');
    expect(await verify(`${host}.cluster.local`)).toContain('OK');
    await expect(verify('other.istio-system.svc')).rejects.toThrow(/hostname mismatch/i);
  });

  it('serves TLS to a client that trusts its authority alone', async () => {
    const { certPem, keyPem, caPem } = await issue();
    const other = await issue();
    server = createServer({ cert: certPem, key: keyPem });
    await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));

    expect(await handshake(server, caPem)).toBe('verified');
    expect(await handshake(server, other.caPem)).toMatch(/unable to verify|self-signed|signature/);
    expect(await handshake(server, `${other.caPem}${caPem}`)).toBe('verified');
  });

  it('is valid from a little before now until its lifetime ends, as its authority is', async () => {
    const now = new Date('2026-01-01T00:00:00Z');
    const { certPem, caPem } = await issue(now, 90 * 24 * hour);

    for (const pem of [certPem, caPem]) {
      const certificate = new X509Certificate(pem);
      expect(certificate.validFromDate).toEqual(new Date('2025-12-31T23:55:00Z'));
      expect(certificate.validToDate).toEqual(new Date('2026-04-01T00:00:00Z'));
    }
  });

  it('has serials of its own, and an authority that may sign but not go on to others', async () => {
    const issued = [await issue(), await issue()];
    const serials = issued.flatMap(({ certPem, caPem }) =>
      [certPem, caPem].map((pem) => new X509Certificate(pem).serialNumber),
    );
    const [{ caPem, certPem } = { caPem: '', certPem: '' }] = issued;
    const text = await openssl({ 'ca.crt': caPem }, 'x509', '-in', 'ca.crt', '-noout', '-text');

    expect(new Set(serials).size).toBe(4);
    expect(new X509Certificate(caPem).ca).toBe(true);
    expect(new X509Certificate(certPem).ca).toBe(false);
    expect(new X509Certificate(caPem).subject).toBe(`CN=${servingAuthorityName}`);
    expect(text).toMatch(/Version: 3/);
    expect(text).toMatch(/CA:TRUE, pathlen:0/);
  });
});

function handshake(server: Server, ca: string): Promise<string> {
  const { port } = server.address() as AddressInfo;
  return new Promise((done) => {
    const socket = connect({ host: '127.0.0.1', port, servername: host, ca }, () => {
      socket.end();
      done('verified');
    });
    socket.once('error', (error) => done(error.message));
  });
}
