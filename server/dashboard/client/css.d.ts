// Style sheets that modules import: esbuild bundles them into one file.
declare module "*.css";
