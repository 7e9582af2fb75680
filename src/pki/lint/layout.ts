/** Which file of a bundle is what to istiod (Istio `pilot/pkg/bootstrap/istio_ca.go`). */
export interface Layout {
  /** Its first certificate is the one that signs. */
  readonly signer: string;
  readonly key: string;
  /** What a proxy shows after its own certificate. */
  readonly chain: string;
  readonly roots: string;
}

export const istioLayout: Layout = {
  signer: 'ca-cert.pem',
  key: 'ca-key.pem',
  chain: 'cert-chain.pem',
  roots: 'root-cert.pem',
};

/** Of a Secret of type `kubernetes.io/tls`. */
export const tlsLayout: Layout = { signer: 'tls.crt', key: 'tls.key', chain: 'tls.crt', roots: 'ca.crt' };

/** The files of a layout. */
export function filesOf({ signer, key, chain, roots }: Layout): string[] {
  return [...new Set([signer, key, chain, roots])];
}

/** The layout that istiod finds: tls when there is a `tls.crt`, else its own when there is a file of it. */
export function layoutOf(files: Readonly<Record<string, string>>): Layout | undefined {
  if (Object.hasOwn(files, tlsLayout.signer)) return tlsLayout;
  return filesOf(istioLayout).some((name) => Object.hasOwn(files, name)) ? istioLayout : undefined;
}
