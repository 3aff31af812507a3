// The list of problems by keyboard.

import { startChoosing } from "./choosing.js";

startChoosing("problem");
