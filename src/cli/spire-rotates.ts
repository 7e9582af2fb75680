/** What a rotation of a mesh with provider Spire is not about: a sentence. */
export const spireRotates =
  "This is about istiod's own authority: the certificates of workloads and their roots are SPIRE's, which rotates them itself (spire-server localauthority x509)";
