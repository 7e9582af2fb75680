import { Counter, Gauge, type Registry } from 'prom-client';
import type { MeshName } from './metrics.ts';

/** A certificate of an authority by its slot: `root` and `current`. */
export interface CertificateEnd {
  readonly certificate: 'root' | 'intermediate';
  readonly slot: 'current' | 'next' | 'previous';
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** What is true of an authority in one pass. */
export interface AuthorityFigures {
  readonly phase: string;
  readonly certificates: readonly CertificateEnd[];
  /** By gate: how many things hold it shut. */
  readonly blockers: Readonly<Record<string, number>>;
  /** Proxies that run, and those seen to be where the phase wants them; absent when none was asked. */
  readonly proxies?: { readonly total: number; readonly done: number };
}

const phaseNames = ['Stable', 'Trusting', 'Signing', 'Distrusting'];
const gateNames = ['Replicas', 'Bundles', 'Proxies', 'Followers', 'Members'];
const slotNames = ['current', 'next', 'previous'] as const;
const certificateNames = ['root', 'intermediate'] as const;

/** As what a root of somebody else is reported: one beside ours has a name of its own. */
export type ForeignRootName = 'root' | 'workload-root';

/** From when to when a certificate is valid. */
export type Validity = Pick<CertificateEnd, 'notBefore' | 'notAfter'>;

type CertificateLabels = Readonly<Record<'namespace' | 'mesh' | 'certificate' | 'slot', string>>;

/** What the trust controller reports of each authority. */
export class TrustMetrics {
  readonly #expiry: Gauge<'namespace' | 'mesh' | 'certificate' | 'slot'>;
  readonly #lifetime: Gauge<'namespace' | 'mesh' | 'certificate' | 'slot'>;
  readonly #phase: Gauge<'namespace' | 'mesh' | 'phase'>;
  readonly #blockers: Gauge<'namespace' | 'mesh' | 'gate'>;
  readonly #proxies: Gauge<'namespace' | 'mesh' | 'state'>;
  readonly #rotations: Counter<'namespace' | 'mesh' | 'kind' | 'reason'>;
  readonly #duration: Gauge<'namespace' | 'mesh' | 'kind'>;
  readonly #failures: Counter<'namespace' | 'mesh'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#expiry = new Gauge({
      name: 'mesh_operator_ca_certificate_expiry_timestamp_seconds',
      help: 'End of a certificate of the authority of a mesh, by its slot',
      labelNames: ['namespace', 'mesh', 'certificate', 'slot'],
      registers,
    });
    this.#lifetime = new Gauge({
      name: 'mesh_operator_ca_certificate_lifetime_seconds',
      help: 'From the beginning of a certificate to its end, of those whose end is reported',
      labelNames: ['namespace', 'mesh', 'certificate', 'slot'],
      registers,
    });
    this.#phase = new Gauge({
      name: 'mesh_operator_ca_rotation_phase',
      help: '1 for the phase that the authority of a mesh is in, 0 for the others',
      labelNames: ['namespace', 'mesh', 'phase'],
      registers,
    });
    this.#blockers = new Gauge({
      name: 'mesh_operator_ca_rotation_blockers',
      help: 'What keeps a gate of the phase shut: replicas of istiod, copies of the bundle, proxies, or other clusters',
      labelNames: ['namespace', 'mesh', 'gate'],
      registers,
    });
    this.#proxies = new Gauge({
      name: 'mesh_operator_ca_rotation_proxies',
      help: 'Proxies during a rotation: done (where the phase wants them) or waiting',
      labelNames: ['namespace', 'mesh', 'state'],
      registers,
    });
    this.#rotations = new Counter({
      name: 'mesh_operator_ca_rotations_total',
      help: 'Rotations that have ended',
      labelNames: ['namespace', 'mesh', 'kind', 'reason'],
      registers,
    });
    this.#duration = new Gauge({
      name: 'mesh_operator_ca_last_rotation_duration_seconds',
      help: 'How long the last rotation took',
      labelNames: ['namespace', 'mesh', 'kind'],
      registers,
    });
    this.#failures = new Counter({
      name: 'mesh_operator_ca_rotation_failed_questions_total',
      help: 'Replicas of istiod and proxies that could not be asked during rotations, once for each attempt',
      labelNames: ['namespace', 'mesh'],
      registers,
    });
  }

  authority(mesh: MeshName, { phase, certificates, blockers, proxies }: AuthorityFigures): void {
    const labels = labelsOf(mesh);
    for (const name of phaseNames) this.#phase.set({ ...labels, phase: name }, name === phase ? 1 : 0);
    for (const gate of gateNames) this.#blockers.set({ ...labels, gate }, blockers[gate] ?? 0);
    for (const certificate of certificateNames) {
      for (const slot of slotNames) {
        const found = certificates.find((end) => end.certificate === certificate && end.slot === slot);
        this.#certificate({ ...labels, certificate, slot }, found);
      }
    }
    this.#proxies.set({ ...labels, state: 'done' }, proxies?.done ?? 0);
    this.#proxies.set({ ...labels, state: 'waiting' }, (proxies?.total ?? 0) - (proxies?.done ?? 0));
  }

  /** The root that ends last in the bundle of an authority that somebody else keeps; undefined: there is none. */
  foreignRoot(mesh: MeshName, certificate: ForeignRootName, root: Validity | undefined): void {
    this.#certificate({ ...labelsOf(mesh), certificate, slot: 'current' }, root);
  }

  rotated(
    mesh: MeshName,
    ended: { readonly kind: string; readonly reason: string; readonly seconds: number },
  ): void {
    const labels = labelsOf(mesh);
    this.#rotations.inc({ ...labels, kind: ended.kind, reason: ended.reason });
    this.#duration.set({ ...labels, kind: ended.kind }, ended.seconds);
  }

  /** So many could not be asked in one look. */
  failedQuestions(mesh: MeshName, count: number): void {
    this.#failures.inc(labelsOf(mesh), count);
  }

  /** Takes back what was reported of an authority that is gone. */
  forget(mesh: MeshName): void {
    const labels = labelsOf(mesh);
    for (const phase of phaseNames) this.#phase.remove({ ...labels, phase });
    for (const gate of gateNames) this.#blockers.remove({ ...labels, gate });
    for (const state of ['done', 'waiting']) this.#proxies.remove({ ...labels, state });
    this.foreignRoot(mesh, 'workload-root', undefined);
    for (const certificate of certificateNames) {
      for (const slot of slotNames) this.#certificate({ ...labels, certificate, slot }, undefined);
      this.#duration.remove({ ...labels, kind: certificate });
    }
  }

  #certificate(labels: CertificateLabels, validity: Validity | undefined): void {
    if (validity === undefined) {
      this.#expiry.remove(labels);
      this.#lifetime.remove(labels);
      return;
    }
    const { notBefore, notAfter } = validity;
    this.#expiry.set(labels, notAfter.getTime() / 1000);
    this.#lifetime.set(labels, (notAfter.getTime() - notBefore.getTime()) / 1000);
  }
}

function labelsOf({ namespace, name }: MeshName): { namespace: string; mesh: string } {
  return { namespace, mesh: name };
}
