// What the console does with script: passkeys, the progress of long work, who else
// edits a record without reloading, and single keys. Every page works without it.
import { keys } from "./keys";
import { live } from "./live";
import { passkeys } from "./passkey";
import { watch } from "./watch";

passkeys();
live();
watch();
keys();
