// What every page needs.

import { onKey, startKeys } from "./keys.js";
import { startPrefs, toggleZone } from "./prefs.js";
import { startTimes } from "./time.js";

startPrefs();
startTimes();
startKeys();
onKey("t", toggleZone);
