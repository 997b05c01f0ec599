// What the console does with script: passkeys, the progress of long work and who else
// edits a record without reloading. Every page works without it.
import { live } from "./live";
import { passkeys } from "./passkey";
import { watch } from "./watch";

passkeys();
live();
watch();
