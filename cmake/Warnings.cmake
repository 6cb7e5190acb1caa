# Warnings of our own code; SAKEDGE_WERROR (on in the presets) makes them errors. A user's build
# from source keeps them as warnings, since a newer compiler may know more of them.
if(MSVC)
  add_compile_options(/W4 /permissive- /utf-8)
  if(SAKEDGE_WERROR)
    add_compile_options(/WX)
  endif()
else()
  add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wcast-qual -Wundef)
  if(SAKEDGE_WERROR)
    add_compile_options(-Werror)
  endif()
endif()
