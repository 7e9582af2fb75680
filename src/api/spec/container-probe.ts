import { z } from 'zod';
import { integer, port, portOrName } from './field-format.ts';

/** A check of a container, of one of four kinds. */
export const containerProbeSchema = z.strictObject({
  httpGet: z
    .strictObject({
      path: z.string().optional().describe('Path to ask for. Default: `/`.'),
      port: portOrName().describe('Port of the container.'),
      host: z.string().optional().describe('Host to ask. Default: the pod.'),
      scheme: z.enum(['HTTP', 'HTTPS']).optional().describe('Default: `HTTP`.'),
      httpHeaders: z
        .array(
          z.strictObject({
            name: z.string().describe('Name of the header.'),
            value: z.string().describe('Its value.'),
          }),
        )
        .optional()
        .describe('Headers of the request.'),
    })
    .optional()
    .describe('An HTTP request that is answered by 200 to 399.'),
  tcpSocket: z
    .strictObject({
      port: portOrName().describe('Port of the container.'),
      host: z.string().optional().describe('Host to connect to. Default: the pod.'),
    })
    .optional()
    .describe('A TCP connection that is accepted.'),
  grpc: z
    .strictObject({
      port: port().describe('Port of the container.'),
      service: z.string().optional().describe('Name of the service in the request.'),
    })
    .optional()
    .describe("A request of gRPC's health protocol."),
  exec: z
    .strictObject({ command: z.array(z.string()).describe('Program and arguments.') })
    .optional()
    .describe('A program in the container that ends with 0.'),
  initialDelaySeconds: integer(0).optional().describe('Seconds before the first check.'),
  periodSeconds: integer(1).optional().describe('Seconds between checks.'),
  timeoutSeconds: integer(1).optional().describe('Seconds until a check has failed.'),
  successThreshold: integer(1).optional().describe('Checks in a row until it counts as passed.'),
  failureThreshold: integer(1).optional().describe('Checks in a row until it counts as failed.'),
});

/** Kinds of a probe; a probe has one of them. */
export const probeHandlers = ['httpGet', 'tcpSocket', 'grpc', 'exec'] as const;
