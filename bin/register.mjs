/** Installs the hook of `resolve.mjs`; loaded with `--import` before the sources of the command line. */
import { installResolver } from './user-modules.mjs';

installResolver();
