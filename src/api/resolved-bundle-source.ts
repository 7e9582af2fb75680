/** Where the roots of an authority are that somebody else keeps. */
export interface ResolvedBundleSource {
  readonly namespace: string;
  /** Of the ConfigMap. */
  readonly name: string;
  /** With PEM certificates. */
  readonly key: string;
}
