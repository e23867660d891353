// A style sheet that a module imports: esbuild gathers them into one file.
declare module "*.css";
