// What the console does with script: passkeys, and the progress of long work without
// reloading. Every page works without it.
import { live } from "./live";
import { passkeys } from "./passkey";

passkeys();
live();
