import type { NewMaterial } from '../../pki/rotation-steps.ts';
import type { CertificateOrders, Order } from './certificate-orders.ts';
import type { TrustPass } from './trust-pass.ts';

/** What the issuer has signed for the mesh; undefined when it has not, which the pass will say. `answers` is what was asked for. */
export async function readOrdered(
  orders: CertificateOrders,
  pass: TrustPass,
  answers?: string,
): Promise<Required<NewMaterial> | undefined> {
  const reading = await orders.look(orderOf(pass, answers), pass.context.signal);
  if (reading.trouble !== undefined) pass.order = reading.trouble;
  return reading.material;
}

/** The order of a mesh; throws for one without an issuer. */
export function orderOf({ mesh, object }: TrustPass, answers: string | undefined): Order {
  const { issuer } = mesh.authority;
  if (issuer === undefined) throw new Error('Nothing is ordered without an issuer');
  return { mesh, issuer, owner: object, ...(answers === undefined ? {} : { answers }) };
}
