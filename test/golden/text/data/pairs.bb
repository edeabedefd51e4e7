ïk ox
he larin he tami hund
ren ba so larin he yar rez dato ba
bri
wop aka ïk elum iss ox
nip wop he aka elum rez ïk vig ters
gre sok
iss sok mon vig ters
ula ïk he ox jol ba bri
kade
ox rez mon ters mon nip so tami ïk
pal vig ba ren ïk he ox kade
iss
ox ba sok kade kwil ba larin
bri ïk Ruma ox
kwil yar ïk hund dato larin he yar rez
he ren Ruma mon
Ruma mon ba ba hund Ruma he ox aka
ox kade mon kwil bri
so aka ïk elum iss ïk
ula larin he yar vig ba ba iss
jol dorn
rez
ox
kade ox ïk kade
kade elum mon vig yar mon jol bri gre
ba kwil ba wop
kade mon jol
elum
pal vig
ters he ba larin yar
dorn ba mon nip wop aka ïk elum iss
kade elum mon iss sok he
rez pal mon vig
ren ïk ïk ox kade ïk elum ters
iss
iss
pal ba larin tami ren
so
iss ters mon nip dorn he ula
ïk ba mon nip dato dorn
ox kade mon kwil bri
elum
sok kade mon jol
dato sok he he
so tami he ren ïk yar he gre
mon kade mon jol vig
kade kwil ba bri ters he mon jol wop
he so he iss
ïk ox mon kwil sok
jol bri mon
he ren Ruma he ula ba
ters
aka mon vig ters ba dorn
ters he ba so pal
pal ba ters he mon iss ters nip ba
ren ïk he yar rez
yar mon jol ren Ruma mon
ïk yar ïk rez dato sok he ula ïk
ula he ox
ïk ox he aka elum
tami hund mon dato dorn ba mon nip so
bri gre
nip so ba dorn ula kwil ba
