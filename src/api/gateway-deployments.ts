/** Variable of istiod: whether it deploys the Gateways of the Gateway API. */
export const gatewayDeployments = 'PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER';
