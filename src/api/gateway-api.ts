/** The release channels of the Gateway API; the experimental one has more kinds and fields, which may change. */
export const gatewayApiChannels = ['Standard', 'Experimental'] as const;

export type GatewayApiChannel = (typeof gatewayApiChannels)[number];
