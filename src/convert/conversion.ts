import type { Problem } from '../api/problem.ts';
import type { Json, JsonObject } from '../api/resolved-mesh.ts';
import type { ChartName } from './source-names.ts';

/** A document that is converted. */
export interface SourceDocument {
  /** Where it comes from, for whoever reads the losses: `iop.yaml` or `iop.yaml[2]`. */
  readonly source: string;
  readonly value: unknown;
  /** Of values of a Helm release: which one. What the options say of Helm values does not count then. */
  readonly helm?: HelmSource;
}

/** The release that Helm values are of. */
export interface HelmSource {
  /** Undefined: the chart that they look like. */
  readonly chart: ChartName | undefined;
  /** Name of the release, which a gateway is called by. */
  readonly release: string;
  /** Where a gateway is; undefined for the namespace of the mesh. */
  readonly namespace?: string | undefined;
}

/** One setting that the mesh does not have, or a block of settings for one reason. */
export interface Loss {
  /** As in the document that it comes from. */
  readonly source: string;
  /** `spec.components.cni`; empty for the whole document. */
  readonly path: string;
  /** Why, and what to do, as a sentence that follows the path. */
  readonly reason: string;
}

/** What became of one setting. */
export interface SettingOutcome {
  readonly source: string;
  readonly path: string;
  readonly value: Json;
  /** `carried`: it is in the mesh. `preset`: it says what is the case anyway. `lost`: it is named as a loss. */
  readonly outcome: 'carried' | 'preset' | 'lost';
  /** Why it is not carried; empty for one that is. */
  readonly reason: string;
}

/** A MeshOperator that was made of documents, valid in any case. */
export interface ConvertedMesh {
  readonly mesh: JsonObject;
  readonly losses: readonly Loss[];
  /** Every setting of the documents, so that none is dropped silently. */
  readonly settings: readonly SettingOutcome[];
}

/** Every problem of a MeshOperator, those included that show when it is rendered. */
export type FindProblems = (mesh: JsonObject) => readonly Problem[];
