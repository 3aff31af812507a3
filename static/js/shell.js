// What every page needs.

import { copyPageLink, startCopying } from "./copy.js";
import { onKey, startKeys } from "./keys.js";
import { startPrefs, toggleZone } from "./prefs.js";
import { startPulse } from "./pulse.js";
import { startBar } from "./bar.js";
import { startTimes } from "./time.js";

startPrefs();
startTimes();
startKeys();
startCopying();
startBar();
startPulse();
onKey("t", toggleZone);
onKey("y", copyPageLink);
