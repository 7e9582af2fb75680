import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../src/api/kubernetes-object.ts';
import { redactObject, redactText } from '../../../src/cli/redact.ts';
import { keyTracesIn } from '../../support/key-traces.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const { privateKey: rsaKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const rsaPem = rsaKey.export({ format: 'pem', type: 'pkcs1' }).toString();
const traces = keyTracesIn([pem, rsaPem]);

const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64');

describe('a text', () => {
  test.each([
    { name: 'PEM', text: pem },
    { name: 'PEM of another form', text: rsaPem },
    { name: 'PEM in JSON', text: JSON.stringify({ key: pem }) },
    { name: 'PEM whose end is missing', text: pem.slice(0, -40) },
    { name: 'the data of a Secret', text: `tls.key: ${base64(pem)}` },
    { name: 'the data of a Secret with an RSA key', text: `tls.key: ${base64(rsaPem)}` },
    { name: 'DER', text: base64(privateKey.export({ format: 'der', type: 'pkcs8' })) },
    { name: 'DER of another form', text: base64(rsaKey.export({ format: 'der', type: 'pkcs1' })) },
  ])('loses a key: $name', ({ text }) => {
    expect(traces(text)).toBeGreaterThan(0);

    const redacted = redactText(`before ${text} after`);

    expect(traces(redacted)).toBe(0);
    expect(redacted).toMatch(/^before /);
    expect(redacted).toContain('[removed: key]');
  });

  test.each([
    { text: `token eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlIn0.c2lnbmF0dXJl`, gone: 'eyJ' },
    { text: 'Authorization: Bearer abcdefgh12345678', gone: 'abcdefgh' },
    { text: 'pulls https://me:hunter2@registry.example/x', gone: 'hunter2' },
  ])('loses what opens doors: $text', ({ text, gone }) => {
    expect(redactText(text)).not.toContain(gone);
  });

  test('keeps the rest: hashes, certificates, images', () => {
    const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';
    const text = `image x@sha256:${'0a'.repeat(32)} https://example.com:8080/a ${certificate}`;

    expect(redactText(text)).toBe(text);
  });
});

describe('an object', () => {
  test('keeps of a Secret the names of its entries alone', () => {
    const secret = {
      ...{ apiVersion: 'v1', kind: 'Secret', type: 'Opaque' },
      metadata: {
        name: 'a',
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"x":"c2VjcmV0"}}' },
      },
      data: { x: 'c2VjcmV0', y: '' },
      stringData: { z: 'secret' },
    };

    expect(redactObject(secret)).toEqual({
      ...{ apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata: { name: 'a' } },
      data: {
        x: '[removed: data of a Secret]',
        y: '[removed: data of a Secret]',
        z: '[removed: data of a Secret]',
      },
    });
  });

  test('loses values of variables, fields and flags that sound like secrets, and keeps what names one', () => {
    const pod: KubernetesObject = {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } },
      spec: {
        containers: [
          {
            name: 'a',
            args: ['--token=abc', '--port=1'],
            env: [
              { name: 'DB_PASSWORD', value: 'hunter2' },
              { name: 'PORT', value: '80' },
              { name: 'KEY', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } },
            ],
            password: 'hunter2',
            volumeMounts: [{ name: 'x', mountPath: '/var/run/secrets/x' }],
          },
        ],
        volumes: [{ name: 'x', secret: { secretName: 'db' } }],
      },
    };

    const [container] = (redactObject(pod).spec as { containers: Record<string, unknown>[] }).containers;

    expect(container).toEqual({
      name: 'a',
      args: ['[removed: value]', '--port=1'],
      env: [
        { name: 'DB_PASSWORD', value: '[removed: value]' },
        { name: 'PORT', value: '80' },
        { name: 'KEY', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } },
      ],
      password: '[removed: value]',
      volumeMounts: [{ name: 'x', mountPath: '/var/run/secrets/x' }],
    });
    expect(redactObject(pod).spec).toMatchObject({ volumes: [{ secret: { secretName: 'db' } }] });
  });
});
