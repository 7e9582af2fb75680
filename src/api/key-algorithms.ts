/** Keys that authorities may have; istiod signs with each of them. */
export const keyAlgorithms = ['ECDSA-P256', 'ECDSA-P384', 'RSA-2048', 'RSA-3072', 'RSA-4096'] as const;
export type KeyAlgorithm = (typeof keyAlgorithms)[number];
