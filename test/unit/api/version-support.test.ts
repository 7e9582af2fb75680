import { describe, expect, it } from 'vitest';
import { supportWarnings } from '../../../src/api/version-support.ts';
import { type IstioVersion, istioVersions } from '../../../src/api/versions.ts';

const [newest, ...older] = istioVersions;
const oldest = older.at(-1) as IstioVersion;
const inTime = new Date('2026-08-31T23:59:59Z');
const tooLate = new Date('2026-09-01T00:00:00Z');

describe('a version of Istio that is no longer supported', () => {
  it('is named when the month of its end is over, and not before', () => {
    expect(supportWarnings(oldest, 35, inTime)).toEqual([]);
    expect(supportWarnings(oldest, 35, tooLate)).toEqual([
      'Istio 1.29 was announced to be supported until 2026-08: what is found in it since then is not mended; take the mesh to a newer version of Istio (spec.version)',
    ]);
  });

  it('is named when it is not made for this Kubernetes', () => {
    expect(supportWarnings(oldest, 30, inTime)).toEqual([
      'Istio 1.29 is supported on Kubernetes 1.31 to 1.35, and this is 1.30; upgrade Kubernetes first',
    ]);
    expect(supportWarnings(oldest, 36, inTime)).toEqual([
      expect.stringContaining('take the mesh to a newer'),
    ]);
  });

  it('is no matter where nothing is known of it', () => {
    expect(supportWarnings(newest, 99, new Date('2030-01-01'))).toEqual([]);
  });
});
