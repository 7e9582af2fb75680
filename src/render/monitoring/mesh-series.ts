import type { ResolvedMesh } from '../../api/resolved-mesh.ts';
import { jobOf, type WatchedPart } from './watched-parts.ts';

/** Label that the PodMonitor gives the figures of gateways alone: namespace/name. */
export const gatewayLabel = 'gateway';

/** Matchers and names of the series of one mesh, by the labels that its monitors give them. */
export class MeshSeries {
  readonly #mesh: ResolvedMesh;

  constructor(mesh: ResolvedMesh) {
    this.#mesh = mesh;
  }

  /** Label matchers in PromQL, joined by commas: all that a part of the mesh says of itself. */
  of(part: WatchedPart, ...further: readonly string[]): string {
    return [`job="${jobOf(this.#mesh, part)}"`, ...further].join(', ');
  }

  /** What a part of the mesh says of itself under a name. */
  metric(name: string, part: WatchedPart, ...further: readonly string[]): string {
    return `${name}{${this.of(part, ...further)}}`;
  }

  /** Labels of everything that rules make: as those of the operator's own figures. */
  get labels(): { readonly namespace: string; readonly mesh: string } {
    return { namespace: this.#mesh.namespace, mesh: this.#mesh.name };
  }

  /** What has `labels`: what the rules of the mesh have recorded, and figures of the operator. */
  own(name: string, ...further: readonly string[]): string {
    const { namespace, mesh } = this.labels;
    return `${name}{${[`namespace="${namespace}"`, `mesh="${mesh}"`, ...further].join(', ')}}`;
  }

  /** Requests as workloads have taken them. */
  get received(): string {
    return this.of('proxies', 'reporter="destination"');
  }

  /** Requests as whoever calls has seen them, those that never arrived among them. */
  get sent(): string {
    return this.of('proxies', 'reporter="source"');
  }

  /** Requests as gateways have passed them on. */
  get passedOn(): string {
    return this.of('proxies', 'reporter="source"', `${gatewayLabel}!=""`);
  }
}
