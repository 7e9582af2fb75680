import { describe, expect, test } from 'vitest';
import {
  type AdmissionReview,
  answerText,
  MalformedReviewError,
  parseReview,
} from '../../../src/servers/admission-review.ts';
import { aReview } from '../../support/admission-review.ts';
import { aPod } from '../../support/injection-input.ts';

const review: AdmissionReview = {
  apiVersion: 'admission.k8s.io/v1',
  uid: 'u1',
  namespace: 'apps',
  request: {},
};

function parsed(value: unknown): AdmissionReview {
  return parseReview(Buffer.from(JSON.stringify(value)));
}

describe('a review', () => {
  test('is read as an API server sends it', () => {
    const pod = aPod();

    expect(parsed(aReview(pod, { uid: 'u1' }))).toEqual({
      ...review,
      request: expect.objectContaining({ operation: 'CREATE', object: pod }),
    });
  });

  test.each([
    ['no JSON', '{"secret', 'The body is no JSON'],
    ['null', 'null', 'The body is no AdmissionReview'],
    ['another kind', '{"kind":"Pod","apiVersion":"v1"}', 'The body is no AdmissionReview'],
    [
      'another version',
      '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v2"}',
      'apiVersion is none of',
    ],
    ['no request', '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}', 'has no request'],
    ['no uid', JSON.stringify(aReview(aPod(), { uid: '' })), 'no request.uid'],
    ['a uid that is no text', JSON.stringify(aReview(aPod(), { uid: {} })), 'no request.uid'],
    ['an endless uid', JSON.stringify(aReview(aPod(), { uid: 'u'.repeat(129) })), 'no request.uid'],
    ['a namespace that is no text', JSON.stringify(aReview(aPod(), { namespace: 7 })), 'request.namespace'],
    ['deep nesting', '['.repeat(100_000), 'nested deeper than 128 levels'],
    ['a million parts', `[${'0,'.repeat(1_000_000)}0]`, 'more than 100000 parts'],
  ])('is refused when it is %s', (_name, text, message) => {
    const read = () => parseReview(Buffer.from(text));

    expect(read).toThrow(MalformedReviewError);
    expect(read).toThrow(message);
    expect(read).not.toThrow('secret');
  });
});

describe('the answer', () => {
  test('carries a patch in base64', () => {
    const patch = [{ op: 'add', path: '/spec/x', value: 'ü' }] as const;

    const { response } = JSON.parse(answerText(review, { allowed: true, patch }));

    expect(response).toMatchObject({ uid: 'u1', allowed: true, patchType: 'JSONPatch' });
    expect(JSON.parse(Buffer.from(response.patch, 'base64').toString())).toEqual(patch);
  });

  test('has no patch when nothing changes', () => {
    expect(JSON.parse(answerText(review, { allowed: true, patch: [], warnings: [] }))).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: 'u1', allowed: true },
    });
  });

  test('says why a pod is refused, at most as long as a person reads', () => {
    const text = answerText(review, { allowed: false, message: 'x'.repeat(100_000) });

    const { status } = JSON.parse(text).response;
    expect(status.code).toBe(400);
    expect(status.message).toHaveLength(2048);
    expect(status.message).toMatch(/x\.\.\.$/);
  });
});
