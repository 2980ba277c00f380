// The protocols of AWS: how each writes a result and a fault.
import { randomUUID } from 'node:crypto';
import { XMLBuilder } from 'fast-xml-parser';
import type { AwsFault } from './account.ts';

/** The form in which a service wants its answers. */
export interface Protocol {
  readonly contentType: string;
  result(action: string, result: object): string;
  fault(fault: AwsFault): string;
}

const xml = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@' });

/** @param namespace of the service's XML */
export function queryProtocol(namespace: string): Protocol {
  return {
    contentType: 'text/xml',
    result: (action, result) =>
      xml.build({
        [`${action}Response`]: {
          '@xmlns': namespace,
          [`${action}Result`]: result,
          ResponseMetadata: { RequestId: randomUUID() },
        },
      }),
    fault: ({ code, message, httpStatus = 400 }) =>
      xml.build({
        ErrorResponse: {
          Error: { Type: httpStatus < 500 ? 'Sender' : 'Receiver', Code: code, Message: message },
          RequestId: randomUUID(),
        },
      }),
  };
}

/** EC2's own variant of the Query protocol. */
export const EC2_QUERY: Protocol = {
  contentType: 'text/xml',
  result: (action, result) =>
    xml.build({
      [`${action}Response`]: {
        '@xmlns': 'http://ec2.amazonaws.com/doc/2016-11-15/',
        requestId: randomUUID(),
        ...result,
      },
    }),
  fault: ({ code, message }) =>
    xml.build({
      Response: { Errors: { Error: { Code: code, Message: message } }, RequestID: randomUUID() },
    }),
};

/** @param version of the protocol, `1.0` or `1.1` */
export function jsonProtocol(version: string): Protocol {
  return {
    contentType: `application/x-amz-json-${version}`,
    result: (_action, result) => JSON.stringify(result),
    fault: ({ code, message }) => JSON.stringify({ __type: code, message }),
  };
}

export const REST_JSON: Protocol = {
  contentType: 'application/json',
  result: (_action, result) => JSON.stringify(result),
  fault: ({ code, message }) => JSON.stringify({ __type: code, Message: message }),
};
