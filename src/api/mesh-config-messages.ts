import generated from '../../generated/mesh-config-fields.json' with { type: 'json' };
import type { MeshConfigFields, ProtoMessages } from './proto-fields.ts';

const fields = generated as MeshConfigFields;

/** The messages that MeshConfig and Network reach, as a minor of Istio has them. */
export function meshConfigMessages(minor: string): ProtoMessages {
  const differing = fields.older[minor];
  return differing === undefined ? fields.messages : { ...fields.messages, ...differing };
}
