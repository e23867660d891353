// The page of a pair for its receiver's app: apps reach the pages of devices through the platform.

export { pairPage } from "../../portal/pair/pair-page.js";
