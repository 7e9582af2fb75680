/** Variable of istiod: what kubeconfigs of other clusters may have that reads files or runs programs, with commas between (Istio pkg/kube/util.go). */
export const kubeconfigOptions = 'PILOT_INSECURE_MULTICLUSTER_KUBECONFIG_OPTIONS';

/** The option that lets them name the file of a token. */
export const tokenFileOption = 'tokenFile';
