import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitUntil } from '../../cluster/wait-until.ts';
import { aReview } from '../../support/admission-review.ts';
import { aPod } from '../../support/injection-input.ts';
import { aResolvedMesh } from '../../support/resolved-mesh.ts';
import {
  certificateFiles,
  configurationText,
  RunningInjector,
  responseOf,
} from '../../support/running-injector.ts';
import type { TestCertificate } from '../../support/serving-files.ts';

let injector: RunningInjector;
const innocent = JSON.stringify(aReview(aPod()));

beforeAll(async () => {
  injector = await RunningInjector.start();
});

afterAll(async () => {
  await injector?.remove();
});

function serialOf({ cert }: TestCertificate): string {
  return new X509Certificate(cert).serialNumber;
}

async function untilServed(certificate: TestCertificate): Promise<void> {
  await waitUntil(
    { what: 'the certificate is served', intervalMs: 10 },
    async () => (await injector.servedSerial()) === serialOf(certificate),
  );
}

/** Asks one after the other over a few connections that stay open, until `during` has ended; returns every answer. */
async function underLoad(during: () => Promise<void>): Promise<string[]> {
  let isOver = false;
  const answers: string[] = [];
  const client = async () => {
    while (!isOver) {
      const { code, body } = await injector.post(innocent);
      if (code !== 200) throw new Error(`HTTP ${code}: ${body}`);
      answers.push(body);
    }
  };
  const clients = [client(), client(), client()];
  await during().finally(() => {
    isOver = true;
  });
  await Promise.all(clients);
  return answers;
}

/** The image of the sidecar that an answer puts in. */
function imageIn(answer: string): string | undefined {
  return /registry\.example\.com\/proxyv2:[a-z0-9]+|registry\.istio\.io\/release\/proxyv2:[0-9.]+/.exec(
    JSON.stringify(responseOf(answer).patch),
  )?.[0];
}

describe('the serving certificate', () => {
  test('changes for new connections while no request is lost', async () => {
    const certificates = [await injector.authority.issue(), await injector.authority.issue()];

    const answers = await underLoad(async () => {
      for (const certificate of certificates) {
        await injector.certificates.replace(certificateFiles(certificate));
        await untilServed(certificate);
      }
    });

    expect(answers.length).toBeGreaterThan(5);
    expect(new Set(answers).size).toBe(1);
    const notAfter = await injector.metric('mesh_operator_injector_certificate_not_after_seconds');
    expect(notAfter).toBe(Date.parse(new X509Certificate(certificates[1]?.cert ?? '').validTo) / 1000);
  });

  test('stays when a key of another certificate replaces its own', async () => {
    const [good, other] = [await injector.authority.issue(), await injector.authority.issue()];
    await injector.certificates.replace(certificateFiles(good));
    await untilServed(good);

    await injector.certificates.replace({ 'tls.crt': other.cert, 'tls.key': good.key });

    await injector.untilLogged('Files not usable', {
      problem: 'tls.key is not the key of the certificate in tls.crt',
      keepsEarlier: true,
    });
    expect(await injector.servedSerial()).toBe(serialOf(good));
    expect((await injector.ready()).code).toBe(200);
    expect(JSON.stringify(injector.log)).not.toContain('PRIVATE KEY');
  });
});

describe('the configuration', () => {
  test('changes for whole requests while none is lost', async () => {
    const hub = 'registry.example.com';
    const answers = await underLoad(async () => {
      for (const tag of ['a1', 'a2']) {
        await injector.configuration.replace({
          'config.json': configurationText(aResolvedMesh({ hub, tag })),
        });
        await waitUntil({ what: `${tag} is injected`, intervalMs: 10 }, async () =>
          imageIn((await injector.post(innocent)).body)?.endsWith(tag),
        );
      }
    });

    const images = answers.map(imageIn);
    expect(new Set(images)).toEqual(
      new Set(['registry.istio.io/release/proxyv2:1.31.1', `${hub}/proxyv2:a1`, `${hub}/proxyv2:a2`]),
    );
    expect(new Set(answers).size).toBe(3);
  });

  test('stays when what replaces it cannot be used', async () => {
    const before = (await injector.post(innocent)).body;
    const refused = 'mesh_operator_injector_loads_total{what="configuration",result="refused"}';
    const refusals = await injector.metric(refused);

    await injector.configuration.replace({ 'config.json': '{"mesh":{"revision":""},"kubernetesMinor":35}' });

    await injector.untilLogged('Files not usable', { what: 'configuration', keepsEarlier: true });
    expect((await injector.post(innocent)).body).toBe(before);
    expect(await injector.metric(refused)).toBe(refusals + 1);
  });
});
