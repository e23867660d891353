// The options of a route: what a request needs (guard.ts), its line in the API's description, and the schemas that validate requests
// and describe answers.

import type {} from "@fastify/swagger"; // the words of routes in OpenAPI
import type { FastifyContextConfig, FastifySchema } from "fastify";
import type { Need } from "../shared/permissions.js";

interface RequestTerms extends Omit<FastifySchema, "response" | "summary"> {
  readonly bodyLimit?: number;
  readonly config?: Omit<FastifyContextConfig, "access">;
}

/** @param request schemas of `params`, `headers`, `querystring` and `body`, and what else holds for the route */
export const route = <
  const Access extends Need,
  Answers extends object,
  Request extends RequestTerms = object,
>(
  access: Access,
  summary: string,
  response: Answers,
  request: Request = {} as Request,
) => {
  const { bodyLimit, config, ...schemas } = request;
  const limits = bodyLimit === undefined ? {} : { bodyLimit };
  return { ...limits, config: { ...config, access }, schema: { ...schemas, summary, response } };
};
