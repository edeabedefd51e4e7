# Small pictures made on the spot, read by shell tests before they leave the top directory.
#
#     paint ink x/1.png || echo "skip: needs base64"
#
#     ink     8 x 8 pixels, a black triangle on nothing
#     flat    the same on white
#     plain   8 x 8, all of one grey; wide: 16 x 8; tall: 8 x 16

paint() { # KIND FILE: fails where there is no base64
    case $1 in
    ink) code=AAAAgAAAAICAQAAABuBnYAAAAAJ0lEQVQI12NkYGD4z4AEGBkYUIUYofR/dAG4ECOS9v/oAmjG4xICAA3KBwCxc23bAAAAAElFTkSuQmCC ;;
    flat) code=AAAAgAAAAICAAAAADhZOFXAAAAI0lEQVQI1zXLsQEAAAyCMOr/P9tBZcoCJgkPlahEJaoAc9sfKB8IBjXC8wcAAAAASUVORK5CYII= ;;
    plain) code=AAAAgAAAAICAAAAADhZOFXAAAADklEQVR42mP4zwADFLEAHzcH+U4voEIAAAAASUVORK5CYII= ;;
    wide) code=AAABAAAAAICAAAAADVHSBLAAAAD0lEQVR42mM4gQYYBkYAAJIOZAEG9IKoAAAAAElFTkSuQmCC ;;
    tall) code=AAAAgAAAAQCAAAAAAO4WGhAAAAD0lEQVR42mM4AQUMg4MBACI0ZAERItmiAAAAAElFTkSuQmCC ;;
    esac
    echo "iVBORw0KGgoAAAANSUhEUg$code" | base64 -d >"$2" 2>/dev/null && [ -s "$2" ]
}
