/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the SDL display: display_sdl.c, display_sdl_keys.c.
 */
#ifndef LKVM_BACKEND_DISPLAY_SDL_PRIV_H
#define LKVM_BACKEND_DISPLAY_SDL_PRIV_H

#include <SDL2/SDL.h>
#include "backend/display_priv.h"

/* The key at @scancode, whatever is printed on it, as Linux calls it; 0: none. */
u16 sdl_key_code(SDL_Scancode scancode);

#endif
