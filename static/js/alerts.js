// The list of alerts by keyboard.

import { startChoosing } from "./choosing.js";

startChoosing("alert");
