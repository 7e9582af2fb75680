import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../../src/api/kubernetes-object.ts';
import { resolveMesh } from '../../../../src/api/resolve.ts';
import { certificateRequest, readAnswer } from '../../../../src/controllers/trust/certificate-request.ts';
import { generateKeyPair } from '../../../../src/pki/key-pair.ts';
import { aMeshOperator } from '../../../support/mesh-operator.ts';
import { openssl } from '../../../support/openssl.ts';

const approved = { type: 'Approved', status: 'True', reason: 'cert-manager.io', message: 'approved' };
const base64 = (text: string) => Buffer.from(text).toString('base64');

function answered(...conditions: readonly object[]): KubernetesObject {
  return {
    ...{ apiVersion: 'cert-manager.io/v1', kind: 'CertificateRequest', metadata: { name: 'mesh-ca-1' } },
    status: { conditions, certificate: base64('chain'), ca: base64('root') },
  };
}

describe('a CertificateRequest', () => {
  test('asks for an authority with what its signing request says, and belongs to the mesh', async () => {
    const operator = aMeshOperator({ meshConfig: { trustDomain: 'corp.example' } });
    const mesh = resolveMesh(operator);
    const issuer = { name: 'corporate', kind: 'ClusterIssuer', group: 'cert-manager.io' } as const;
    const owner = { ...operator, metadata: { ...operator.metadata, uid: 'u1' } } as KubernetesObject;
    const keys = await generateKeyPair('ECDSA-P256');

    const request = certificateRequest({
      ...{ mesh, issuer, owner, keys },
      ...{ lifetimeMs: 3_600_999, mark: '0badcafe' },
    });

    const { request: csr, ...spec } = request.spec as Record<string, unknown>;
    expect(spec).toEqual({
      isCA: true,
      usages: ['cert sign', 'crl sign'],
      duration: '3600s',
      issuerRef: issuer,
    });
    expect(request.metadata).toMatchObject({
      name: 'mesh-ca-0badcafe',
      namespace: 'istio-system',
      labels: { 'app.kubernetes.io/managed-by': 'mesh-operator', 'meshoperator.dev/mesh': 'mesh' },
      ownerReferences: [{ kind: 'MeshOperator', name: 'mesh', uid: 'u1' }],
    });
    const pem = Buffer.from(String(csr), 'base64').toString();
    const subject = await openssl({ 'ca.csr': pem }, 'req', '-in', 'ca.csr', '-noout', '-subject');
    expect(subject).toContain('O = corp.example, CN = Intermediate CA 0badcafe');
  });

  test('has a name that the API server takes, whatever the mesh is called', async () => {
    const operator = aMeshOperator();
    const mesh = { ...resolveMesh(operator), name: 'm'.repeat(253) };
    const issuer = { name: 'a', kind: 'Issuer', group: 'cert-manager.io' } as const;
    const keys = await generateKeyPair('ECDSA-P256');

    const { metadata } = certificateRequest({
      ...{ mesh, issuer, keys, owner: operator as unknown as KubernetesObject },
      ...{ lifetimeMs: 3_600_000, mark: '0badcafe' },
    });

    expect(metadata.name).toMatch(/^m+-ca-0badcafe$/);
    expect(metadata.name.length).toBe(253);
  });
});

describe('the answer to a CertificateRequest', () => {
  test('is what was signed when it is Ready', () => {
    expect(readAnswer(answered(approved, { type: 'Ready', status: 'True', reason: 'Issued' }))).toEqual({
      state: 'issued',
      chainPem: 'chain',
      rootPem: 'root',
    });
  });

  test.each([
    ['nobody has looked at', [], 'is not approved yet'],
    ['nobody has approved', [{ type: 'Ready', status: 'False', reason: 'Pending' }], 'is not approved yet'],
    ['is approved', [approved], 'is approved and not signed yet'],
    [
      'has no issuer',
      [approved, { type: 'Ready', status: 'False', reason: 'Pending', message: 'issuer not found' }],
      'is not signed yet: Pending, issuer not found',
    ],
  ])('is to wait for one that %s', (_name, conditions, says) => {
    expect(readAnswer(answered(...conditions))).toEqual({ state: 'waiting', says });
  });

  test.each([
    [
      'is denied',
      [{ type: 'Denied', status: 'True', reason: 'Policy', message: 'no CA here' }],
      'is denied: Policy, no CA here',
    ],
    [
      'is invalid',
      [approved, { type: 'InvalidRequest', status: 'True', reason: 'Usages', message: 'do not match' }],
      'is invalid: Usages, do not match',
    ],
    [
      'has failed',
      [approved, { type: 'Ready', status: 'False', reason: 'Failed', message: 'cannot sign' }],
      'has failed: Failed, cannot sign',
    ],
  ])('is a refusal of one that %s', (_name, conditions, says) => {
    expect(readAnswer(answered(...conditions))).toEqual({ state: 'refused', says });
  });

  test('is bounded, whatever an issuer says', () => {
    const denied = { type: 'Denied', status: 'True', message: 'x'.repeat(100_000) };

    expect(readAnswer(answered(denied))).toMatchObject({ says: expect.stringMatching(/^.{1,600}$/) });
  });
});
